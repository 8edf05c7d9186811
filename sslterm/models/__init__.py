"""Networks: the encoders that are kept, the heads that help them learn, the teacher that follows slowly."""
