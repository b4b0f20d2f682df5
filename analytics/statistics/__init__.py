"""Statistics: numbers in, numbers with their doubt out. No SQL, no files, no words for people.

Counts grouped by the database are accepted everywhere, so that Python never sees a million rows.
Where there is no answer (nobody observed, no spread) the answer is NaN, never an exception and never 0.
"""
