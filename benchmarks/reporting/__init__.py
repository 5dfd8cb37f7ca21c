"""Results as a person or a program reads them: `shown`, `report`, `chart`."""
