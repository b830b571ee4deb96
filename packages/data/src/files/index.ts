export { fileError, requireFile } from './file-error.js'
export { type FileFormat, type Row, fileOptions, fileSource } from './file-source.js'
export { type Line, type ReadLinesOptions, lineBudget, readLines } from './read-lines.js'
export { type RejectedRows, rejectedRowsTo } from './rejected-rows-to.js'
