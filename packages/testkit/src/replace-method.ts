/** Replaces a method of an object; the returned function restores it. */
export function replaceMethod<T extends object, K extends keyof T>(object: T, name: K, replacement: T[K]): () => void {
  const own = Object.getOwnPropertyDescriptor(object, name)
  Object.defineProperty(object, name, { configurable: true, writable: true, value: replacement })
  return () => {
    if (own === undefined) Reflect.deleteProperty(object, name)
    else Object.defineProperty(object, name, own)
  }
}
