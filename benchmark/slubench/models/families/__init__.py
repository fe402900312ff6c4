"""The model families that come with slubench, one file each; torch and transformers inside functions."""
