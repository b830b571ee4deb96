// @ts-check
/** With `node --import`, leaves the greatest memory that the process had, in bytes, in the file that PEAK_FILE names. */
import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  const path = process.env['PEAK_FILE']
  if (path !== undefined) writeFileSync(path, String(process.resourceUsage().maxRSS * 1024))
})
