"""From raw files to accepted rows: read, map, refuse identifiers, validate, pseudonymise, make days relative.

Raw values exist only in memory while an import runs: nothing in here writes one to disk, to a log or to a
screen.
"""
