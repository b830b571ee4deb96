// @ts-check
/** Preloaded with `node --import`, writes the peak memory of the process in bytes to the file PEAK_FILE. */
import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  const path = process.env['PEAK_FILE']
  if (path !== undefined) writeFileSync(path, String(process.resourceUsage().maxRSS * 1024))
})
