-- torchnet: datasets, engines, meters and logs.
--
-- Arguments are those of torchnet, which argcheck tells apart by type or name. Source:
-- torchnet/torchnet README.md and the documentation of each class.

require 'nn'
local tnt = {}
package.loaded['torchnet.env'] = tnt

require 'torchnet.utils'
require 'torchnet.transform'
require 'torchnet.dataset'
require 'torchnet.batching'
require 'torchnet.indexed'
require 'torchnet.iterator'
require 'torchnet.engine'
require 'torchnet.meter'
require 'torchnet.ranking'
require 'torchnet.log'

-- Programs may ask for the file of a class.
for folder, names in pairs {
  dataset = {'listdataset', 'tabledataset', 'indexeddataset', 'transformdataset', 'batchdataset',
             'coroutinebatchdataset', 'concatdataset', 'resampledataset', 'shuffledataset',
             'splitdataset', 'datasetiterator', 'paralleldatasetiterator'},
  engine = {'sgdengine', 'optimengine'},
  meter = {'apmeter', 'averagevaluemeter', 'aucmeter', 'confusionmeter', 'mapmeter', 'msemeter',
           'movingaveragevaluemeter', 'multilabelconfusionmeter', 'classerrormeter', 'timemeter',
           'precisionatkmeter', 'recallmeter', 'precisionmeter', 'ndcgmeter'},
} do
  for _, name in ipairs(names) do
    package.preload[('torchnet.%s.%s'):format(folder, name)] = function() return tnt end
  end
end

return tnt
