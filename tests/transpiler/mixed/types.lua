return {word = 'typed'}
