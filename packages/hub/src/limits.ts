const MIB = 2 ** 20

/**
 * Limits on the cost of one operation (a download, an upload) for any server. Responses of the Hub stay far below
 * them. An operation that exceeds one fails with `HUB_BAD_ANSWER`, or with `HUB_UNREACHABLE` for time limits.
 */
export const HUB_LIMITS = {
  /** Decompressed bytes of one API response. A page of 1,000 files has about 400 kB. */
  answerBytes: 8 * MIB,
  /** Decompressed bytes of all API responses of one operation. */
  answersBytes: 32 * MIB,
  /** Bytes that are read of a response with an error status. */
  errorBytes: 16 * 1024,
  /** Values in one JSON document: fields, elements, arrays and objects. */
  jsonValues: 1_000_000,
  /** Pages of one file list. */
  pages: 1000,
  /** Empty pages of one file list. */
  emptyPages: 10,
  /** Entries of one file list, including folders. */
  entries: 50_000,
  /** Files of one repository. */
  files: 20_000,
  /**
   * Steps of work of one operation before any bytes are received; each byte allows 200 more. A request counts
   * 400,000.
   */
  steps: 400_000_000,
  /** Redirects of one request. */
  redirects: 5,
  /** Informational responses (1xx) before a response. */
  informational: 16,
  /** Consecutive failed attempts of one request. */
  attempts: 6,
  /** Bytes of progress that reset the count of failed attempts. */
  gainedBytes: 16 * 1024,
  /** Maximum pause between two attempts, regardless of `Retry-After`, in seconds. */
  pauseSeconds: 60,
  /** Maximum time without a byte from a server, in seconds. */
  silenceSeconds: 60,
  /** Minimum mean rate of a body over `rateSeconds`, in bytes per second. A link of 10 kB/s is ten times faster. */
  bytesPerSecond: 1024,
  /** Window over which the rate of a body is measured, in seconds. */
  rateSeconds: 120,
  /** Minimum rate at which a server must accept the body of an API request, in bytes per second. */
  requestBytesPerSecond: 10 * 1024,
  /**
   * Total time that one operation may wait for servers, in seconds: for heads and bodies of responses and in pauses,
   * summed over concurrent requests. Each KiB of a received or sent file adds one second.
   */
  waitingSeconds: 1800,
  /** Total bytes of files inside a commit request, which is held in memory. */
  inlineBytes: 100 * MIB,
  /** Bytes of a cached file list or index of shards. */
  cachedBytes: 64 * MIB,
} as const
