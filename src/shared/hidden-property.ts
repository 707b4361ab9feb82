/** Finds properties that Node.js and libraries keep under a symbol that they do not export, by the symbol's description. */

export function hiddenSymbol(holder: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(holder).find((symbol) => symbol.description === description);
}

/** Returns the value of a property whose key is a symbol with this description; null if there is none. */
export function hiddenProperty(holder: object, description: string): unknown {
  const symbol = hiddenSymbol(holder, description);
  return symbol === undefined ? null : Reflect.get(holder, symbol);
}
