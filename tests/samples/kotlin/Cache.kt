package org.example.cache

import java.time.Duration
import java.time.Instant

sealed interface Lookup<out V> {
    data class Hit<V>(val value: V, val age: Duration) : Lookup<V>
    data object Miss : Lookup<Nothing>
}

class Cache<K : Any, V>(private val maxAge: Duration, private val now: () -> Instant = Instant::now) {
    private val entries = linkedMapOf<K, Pair<Instant, V>>()

    operator fun get(key: K): Lookup<V> {
        val (at, value) = entries[key] ?: return Lookup.Miss
        val age = Duration.between(at, now())
        return if (age <= maxAge) Lookup.Hit(value, age) else Lookup.Miss.also { entries -= key }
    }

    operator fun set(key: K, value: V) {
        entries[key] = now() to value
    }

    override fun toString() = entries.keys.joinToString(prefix = "Cache(", postfix = ")") { "$it" }
}
