package org.example.ledger;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Entries in the order in which they were made; the balance is their sum. */
public final class Ledger {
    private final List<Entry> entries = new ArrayList<>();

    public record Entry(String account, BigDecimal amount) {
        public Entry {
            Objects.requireNonNull(account, "account");
            if (amount.signum() == 0) {
                throw new IllegalArgumentException("amount is zero: " + account);
            }
        }
    }

    public synchronized void add(String account, String amount) {
        entries.add(new Entry(account, new BigDecimal(amount)));
    }

    public BigDecimal balance(String account) {
        return entries.stream()
                .filter(entry -> entry.account().equals(account))
                .map(Entry::amount)
                .reduce(BigDecimal.ZERO, BigDecimal::add);
    }
}
