raise ImportError("hidden by the case")
