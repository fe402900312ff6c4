"""The models that come with slubench, one file each."""
