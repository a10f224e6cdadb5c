"""The network of hops of a crystal: every jump of one vacancy, sorted into those that symmetry makes the same."""
