"""What sessions cost becomes money: billed by themselves or by a person, entered into the books, checked."""
