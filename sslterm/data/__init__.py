"""Images: data sets as one tensor, their splits, and the views that training sees."""
