"""Plain arrays in, plain arrays out: the statistics everything else rests on."""
