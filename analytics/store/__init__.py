"""The store: row tables, outcome tables, and immutable snapshots published by an atomic pointer."""
