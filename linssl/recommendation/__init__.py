"""Which paradigm, augmentation, strength and number of codes suit a task: by held-out scores."""
