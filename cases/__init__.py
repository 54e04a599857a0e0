"""Case files and case scripts."""
