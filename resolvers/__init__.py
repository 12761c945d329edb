"""What answers: records, queries, commands, loaders and stores, one folder a slice; no GraphQL here."""
