"""What maintainers use: benches and the maker of the miniature."""
