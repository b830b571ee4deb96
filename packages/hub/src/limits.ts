const MIB = 2 ** 20

/**
 * Limits on the cost of one operation (a download, an upload), whatever the server sends. Answers of the Hub stay far below
 * them. An operation that exceeds one fails with `HUB_BAD_ANSWER`, or with `HUB_UNREACHABLE` for time.
 */
export const HUB_LIMITS = {
  /** Decompressed bytes of one answer of the API. A page of 1,000 files has some 400 kB. */
  answerBytes: 8 * MIB,
  /** Decompressed bytes of all answers of the API in one operation. */
  answersBytes: 32 * MIB,
  /** Bytes that are read of an answer with an error status. */
  errorBytes: 16 * 1024,
  /** Values in one JSON document: fields, elements, arrays and objects. */
  jsonValues: 1_000_000,
  /** Pages of one list of files. */
  pages: 1000,
  /** Empty pages of one list. */
  emptyPages: 10,
  /** Entries of one list of files, including folders. */
  entries: 50_000,
  /** Files of one repository. */
  files: 20_000,
  /** Steps of work of one operation before any bytes come; each byte allows 200 more. A request counts 400,000. */
  steps: 400_000_000,
  /** Redirects of one request. */
  redirects: 5,
  /** Informational answers (1xx) before an answer. */
  informational: 16,
  /** Consecutive failed attempts of one request. */
  attempts: 6,
  /** Bytes that an attempt must gain to reset the count of failed attempts. */
  gainedBytes: 16 * 1024,
  /** Longest pause between two attempts, whatever `Retry-After` says, in seconds. */
  pauseSeconds: 60,
  /** Longest time without a byte from a server, in seconds. */
  silenceSeconds: 60,
  /** Minimum mean rate of a body over `rateSeconds`, in bytes per second. A link of 10 kB/s is ten times faster. */
  bytesPerSecond: 1024,
  /** Window over which the rate of a body is measured, in seconds. */
  rateSeconds: 120,
  /** Minimum rate at which a server must accept the body of an API request, in bytes per second. */
  requestBytesPerSecond: 10 * 1024,
  /**
   * Total time that one operation may wait for servers, in seconds: for heads and bodies of answers and in pauses, summed over
   * concurrent requests. Each KiB of a file that is received or sent adds one second.
   */
  waitingSeconds: 1800,
  /** Total bytes of the files that are sent inside a commit request, which is held in memory. */
  inlineBytes: 100 * MIB,
  /** Bytes of a list of files or an index of shards in the cache. */
  cachedBytes: 64 * MIB,
} as const
