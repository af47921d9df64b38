"""What assessment says on its feed, and what it hears on enrolment's."""
