<?php

declare(strict_types=1);

namespace App\Mail;

use InvalidArgumentException;

final class Mailer
{
    private array $queue = [];

    public function __construct(private readonly string $from, private int $limit = 50)
    {
    }

    public function add(string $to, string $subject, ?string $body = null): static
    {
        if (!filter_var($to, FILTER_VALIDATE_EMAIL)) {
            throw new InvalidArgumentException("no address: '$to'");
        }
        $this->queue[] = ['to' => $to, 'subject' => $subject, 'body' => $body ?? '—'];
        return $this;
    }

    public function flush(callable $send): int
    {
        $batch = array_splice($this->queue, 0, $this->limit);
        foreach ($batch as ['to' => $to, 'subject' => $subject, 'body' => $body]) {
            $send($this->from, $to, sprintf("%s\r\n\r\n%s", $subject, $body));
        }
        return count($batch);
    }
}
