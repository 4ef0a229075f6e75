"""What is not known to be English is not corrected."""

import pytest

from dgemma_ls.proofread.language import Language, judge_language


@pytest.mark.parametrize(
    "text",
    [
        "This is the plain text of a paragraph.",
        "Return the name of the file.",
        "If the die is cast, no man can do so.",
        "The résumé of the café is in the file of it.",
        "Set to true if the plus sign is used.",
    ],
)
def test_english_is_told_by_its_function_words(text: str) -> None:
    assert judge_language(text) is Language.ENGLISH


@pytest.mark.parametrize(
    "text",
    [
        "Die Katze liegt auf dem Tisch und schläft nicht.",
        "Dieses Modul ist noch nicht fertig und wird bald ersetzt.",
        "Le chat est sur la table et il ne dort pas.",
        "El gato duerme sobre la mesa y no quiere salir.",
        "Il gatto dorme sul tavolo e non vuole uscire della casa.",
        "O gato dorme na mesa e não quer sair de casa.",
        "De kat ligt op het bed en slaapt niet, maar dat is ook een kat.",
        "Katten ligger på bordet och sover inte.",
        "Kot śpi na stole i nie chce wyjść.",
        "Kedi masada uyuyor ve dışarı çıkmak istemiyor.",
        "Кошка спит на столе и не хочет выходить.",
        "猫在桌子上睡觉，不想出去。",
        "ネコはテーブルの上で寝ています。",
        "القط نائم على الطاولة",
        "Die Funktion returns the value und ist not für den Parser.",
    ],
)
def test_other_languages_and_mixtures_are_not_english(text: str) -> None:
    assert judge_language(text) is Language.OTHER


@pytest.mark.parametrize("text", ["", "Recieve buffer", "Parser state", "1 2 3", "Initialisiere"])
def test_a_few_words_tell_nothing(text: str) -> None:
    assert judge_language(text) is Language.UNKNOWN
