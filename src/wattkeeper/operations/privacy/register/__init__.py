"""What is kept, why and for how long: the register, the records of processing, the notice, legal holds."""
