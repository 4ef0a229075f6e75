module Tree (Tree, empty, insert, member, toList) where

import qualified Data.List as List

data Tree a = Leaf | Node (Tree a) a (Tree a)
  deriving (Eq, Show)

empty :: Tree a
empty = Leaf

insert :: Ord a => a -> Tree a -> Tree a
insert x Leaf = Node Leaf x Leaf
insert x tree@(Node left y right)
  | x < y     = Node (insert x left) y right
  | x > y     = Node left y (insert x right)
  | otherwise = tree

member :: Ord a => a -> Tree a -> Bool
member x = List.elem x . toList

toList :: Tree a -> [a]
toList Leaf = []
toList (Node left x right) = toList left ++ [x] ++ toList right

-- | λ: every number once, in order.
sorted :: [Int] -> [Int]
sorted = toList . foldr insert empty
