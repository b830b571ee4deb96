import { readFileSync } from 'node:fs'
import { AttuneError } from '@attune/core'

/** Environment variable that ONNX Runtime reads when it starts. */
const VARIABLE = 'ORT_DISABLE_TELEMETRY'

/**
 * Bytes of a command line that the telemetry of ONNX Runtime can parse. Measured: its recursion overflows the 8 MB stack of the main
 * thread from about 29,000 bytes, and the 4 MB stack of a worker thread from about 14,000.
 */
const SAFE_BYTES = 8000

/** Length of this process's command line in bytes; 0 where the system has no `/proc`, whose telemetry does not read it. */
function commandLineBytes(): number {
  try {
    return readFileSync('/proc/self/cmdline').length
  } catch {
    return 0
  }
}

/** True if the variable is in the environment of the process. The `process.env` of a worker thread is a copy by default. */
function isInEnvironment(): boolean {
  const report = process.report.getReport() as { environmentVariables?: Record<string, unknown> }
  return report.environmentVariables?.[VARIABLE] !== undefined
}

/**
 * Disables the telemetry of ONNX Runtime, through the environment variable of the process. Telemetry matches the command line of the
 * process against a recursive regular expression, so that a long one ends the process in a segmentation fault; it also stores and
 * sends usage events. Call it before ONNX Runtime is initialized.
 * @throws AttuneError `ENGINE_UNAVAILABLE` if a worker thread with its own environment starts ONNX Runtime, and the command line is
 *   long
 */
export function disableTelemetry(): void {
  process.env[VARIABLE] = '1'
  const bytes = commandLineBytes()
  if (bytes <= SAFE_BYTES || isInEnvironment()) return
  throw new AttuneError(
    'ENGINE_UNAVAILABLE',
    `expected a command line of at most ${SAFE_BYTES} bytes, got ${bytes}: the telemetry of ONNX Runtime, which a worker thread with its own environment cannot disable, overflows the stack`,
    `Start the program with ${VARIABLE}=1, or create the worker with \`env: SHARE_ENV\` of node:worker_threads.`,
  )
}
