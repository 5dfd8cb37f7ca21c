-- What a turn that was given up, or is to be run again, has raised: the name of the exception's class.
ALTER TABLE parked ADD COLUMN failure TEXT;
ALTER TABLE retry ADD COLUMN failure TEXT;
