"""An export as an attacker would write it. Read `test_imports` (every value), `test_import_payloads` (what
events say), `test_import_whole` (the file as a whole).
"""
