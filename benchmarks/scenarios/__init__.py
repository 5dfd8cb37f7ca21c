"""What is measured, one file each; every file has `run(options) -> Result`.

This room knows questions and goals; it does not know how a run is started or shown. The files stand
side by side: begin with whichever is named as the figure in question.
"""
