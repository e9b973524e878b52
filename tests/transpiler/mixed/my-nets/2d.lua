return {kind = 'net 2d'}
