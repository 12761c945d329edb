"""Runs a plan: sends its requests, merges their answers, projects what the client asked for."""
