-- gnuplot: programs that draw curves go on without them; one message says that nothing is drawn.
--
-- Source: torch/gnuplot gnuplot.lua, for the names.

require 'torch'

local gnuplot = {}
rawset(_G, 'gnuplot', gnuplot)

local said = false

for _, name in ipairs {
  'plot', 'splot', 'scatter3', 'bar', 'hist', 'imagesc', 'xlabel', 'ylabel', 'zlabel', 'title', 'label',
  'grid', 'axis', 'movelegend', 'raw', 'plotflush', 'close', 'closeall', 'fprintf', 'setterm',
  'setgnuplotexe', 'setgnuplotterminal', 'print', 'pdfprint', 'epsprint', 'svgprint', 'pngprint',
} do
  gnuplot[name] = function()
    if not said then
      said = true
      io.stderr:write('gnuplot: nothing is drawn here; the program goes on\n')
    end
  end
end

local figures = 0
for _, name in ipairs {'figure', 'pngfigure', 'pdffigure', 'epsfigure', 'svgfigure', 'figprint'} do
  gnuplot[name] = function(id)
    figures = type(id) == 'number' and id or figures + 1
    return figures
  end
end

return gnuplot
