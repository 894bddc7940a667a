"""Keys and what they do: one small file for each use, each key good for one thing only."""
