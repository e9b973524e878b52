return {kind = 'models.lua'}
