"""Text to model.network: reads what an operator wrote and says everything that is wrong with it."""
