// @ts-check
/**
 * Specs of TensorFlow.js that fail on an engine, grouped by their reason: each group is a pattern of `spec: message` and its number of
 * specs. Where several groups match, the first one counts.
 * @typedef {{ reason: string, failing: RegExp, count: number }} Difference
 */

const COMPLEX = 'Complex numbers and Fourier transforms: tensors of an engine are float32, int32 or bool'
const STRINGS = 'String tensors: tensors of an engine are float32, int32 or bool'
const RAGGED =
  'Ragged tensors: they consist of several arrays, which the JavaScript kernels take from their own backend'

/** @type {Readonly<Record<string, readonly Difference[]>>} */
export const DIFFERENCES = {
  'tfjs-cpu': [],
  'tfjs-wasm': [
    { reason: COMPLEX, failing: /Kernel 'Complex' not registered/, count: 110 },
    { reason: RAGGED, failing: /Kernel 'Ragged\w+' not registered/, count: 41 },
    { reason: STRINGS, failing: /string/, count: 18 },
  ],
  onnxruntime: [
    { reason: COMPLEX, failing: /Kernel 'Complex' not registered/, count: 110 },
    { reason: STRINGS, failing: /got string, which cannot be compiled/, count: 123 },
    {
      reason:
        'Kernels without a compiled form, each refused with `UNKNOWN_KERNEL` in a compiled function: counting, sampling and searching, sparse and ragged tensors, boxes and crops of images, dilation',
      failing: /Kernel '\w+' not registered/,
      count: 231,
    },
    {
      reason:
        'The profiler and the timer of TensorFlow.js: they read the result of every kernel, which is symbolic here',
      failing: /^profile |'time' not yet implemented/,
      count: 5,
    },
    {
      reason:
        'The gradient of average pooling divides by the number of values that are not padding, like its value; TensorFlow.js divides by the size of the window',
      failing: /^avgPool gradient x=\[3,3,1\] f=\[3,3\] s=1 p=explicit/,
      count: 1,
    },
    {
      reason:
        '`exp` and `tan` differ in the last bit of a float32, which is more than the absolute tolerance of these specs',
      failing: /^exp int32|^tan numbers exceed float32 precision/,
      count: 2,
    },
    {
      reason: 'Refused in both, but the message here also names the kernel and a remedy',
      failing: /^einsum nonexistent dimension/,
      count: 1,
    },
  ],
}
