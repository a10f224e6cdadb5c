"""The live page: where a study stands, in a browser on this machine, while it runs and after."""
