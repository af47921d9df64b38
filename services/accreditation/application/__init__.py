"""What accreditation does, one transaction at a time, against ports."""
