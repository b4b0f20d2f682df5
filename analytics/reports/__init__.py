"""Disclosed results as pictures, sentences and tables; nothing here computes an outcome."""
