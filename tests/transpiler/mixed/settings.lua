return 7, 8
