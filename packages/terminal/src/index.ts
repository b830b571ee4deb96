export { type Paint, type PlotNames, type Point, curve } from './curve.js'
export {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatProgress,
  formatShort,
  printable,
} from './format.js'
export { column, shorten, table } from './table.js'
export { type MapPart, type MapRow, trainingTable } from './training-map.js'
export { type TitledMap, trainingMapSvg } from './training-map-svg.js'
