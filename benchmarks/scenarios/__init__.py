"""What is measured, one file each; every file has `run(options) -> Result`."""
