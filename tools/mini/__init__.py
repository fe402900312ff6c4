"""The mini edition: an embedded corpus and an embedded model, so that the whole path runs anywhere."""
