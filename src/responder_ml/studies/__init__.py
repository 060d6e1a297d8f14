"""What happens between a study's configuration and its record: jobs entered, tested together, transferred, fused, summed up."""
