"""What may be asked of enrolment and what it does about it. No framework, driver or broker here."""
