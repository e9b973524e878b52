-- image: the functions of legacy_nn.image, and what needs a screen or pictures that are not here.
--
-- Source: torch/image init.lua.

require 'torch'
require 'xlua'
require 'dok'
local _, image = ...
rawset(_G, 'image', image)

image.supported_filetypes = {}
for _, name in ipairs {'jpg', 'jpeg', 'JPG', 'JPEG', 'png', 'PNG', 'ppm', 'PPM', 'pgm', 'PGM'} do
  image.supported_filetypes[name] = {loader = image.load, saver = image.save, sizer = image.getSize}
end

for _, name in ipairs {'JPG', 'PNG', 'PPM'} do
  image['load' .. name] = image.load
  image['get' .. name .. 'size'] = function(path) return unpack(image.getSize(path):totable()) end
end
image.savePNG, image.saveJPG, image.savePPM, image.savePGM = image.save, image.save, image.save, image.save
image.decompressJPG, image.decompressPNG = image.decompress, image.decompress

-- A program that shows pictures goes on without a screen, as it did where Torch had no Qt.
local said = false
local function no_screen(name)
  if not said then
    said = true
    io.stderr:write(name, ': there is no screen here, nothing is shown; image.save writes pictures\n')
  end
end

function image.display(...)
  local args = dok.unpack({...}, 'image.display', 'displays a single image',
    {arg = 'image', type = 'torch.Tensor | table', req = true},
    {arg = 'zoom', type = 'number', default = 1},
    {arg = 'min', type = 'number'}, {arg = 'max', type = 'number'},
    {arg = 'legend', type = 'string'}, {arg = 'win', type = 'qt window'},
    {arg = 'x', type = 'number'}, {arg = 'y', type = 'number'},
    {arg = 'scaleeach', type = 'boolean', default = false}, {arg = 'gui', type = 'boolean'},
    {arg = 'offscreen', type = 'boolean'}, {arg = 'padding', type = 'number', default = 0},
    {arg = 'symmetric', type = 'boolean', default = false},
    {arg = 'nrow', type = 'number', default = 6},
    {arg = 'saturate', type = 'boolean', default = true})
  image.toDisplayTensor {input = args.image, padding = args.padding, nrow = args.nrow,
                         saturate = args.saturate, scaleeach = args.scaleeach, min = args.min,
                         max = args.max, symmetric = args.symmetric}
  no_screen('image.display')
  return args.win
end

function image.window() no_screen('image.window') end

local function not_here(name)
  return function()
    error(('image.%s: this picture is not part of Rekindle; load one with image.load'):format(name), 2)
  end
end
image.lena, image.fabio = not_here('lena'), not_here('fabio')

return image
