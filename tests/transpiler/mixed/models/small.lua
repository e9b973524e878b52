return {kind = 'small'}
