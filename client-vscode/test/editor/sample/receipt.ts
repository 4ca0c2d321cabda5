/** One line of a receipt; the price is in cents. */
export interface Item {
  article: string;
  count: number;
  price: number;
}

/** Return what all items cost together, in cents. */
export function total(items: readonly Item[]): number {
  return items.reduce((sum, { count, price }) => sum + count * price, 0);
}

/** Write an amount of cents as a price. */
export function formatPrice(cents: number): string {
  return `${(cents / 100).toFixed(2)} €`;
}
