// JSON holds the values of enums, not their names: T with each enum as the plain values it stands for.
import type { Shipped } from './types';

type Plain<T> = T extends string
  ? `${T}`
  : T extends (infer Item)[]
    ? Plain<Item>[]
    : T extends object
      ? { [Key in keyof T]: Plain<T[Key]> }
      : T;

export type PlainShipped = Plain<Shipped>;
